-- A worker is one running server process. It holds one lease, this row, in the database's time; everything that it owns names it.
create table workers (
    worker_id text primary key,
    host_id text not null,
    version text not null,
    started_at timestamptz not null default now(),
    renewed_at timestamptz not null default now(),
    lease_expires_at timestamptz not null
);
create index workers_by_host on workers (host_id, lease_expires_at);
