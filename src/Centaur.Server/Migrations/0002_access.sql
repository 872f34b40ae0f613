create table api_keys (
    id uuid primary key default gen_random_uuid(),
    name text not null,
    key_prefix text not null,
    key_hash text not null unique,
    scopes text[] not null,
    created_by text not null default '',
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);

create table thread_traces (
    thread_key text primary key,
    trace_id uuid not null
);
