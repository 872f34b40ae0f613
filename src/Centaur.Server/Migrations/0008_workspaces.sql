-- A repository that a client uploaded for a thread as a git bundle, until the jail has cloned it.
create table workspace_bundles (
    thread_key text primary key,
    name text not null,
    data bytea not null,
    created_at timestamptz not null default now(),
    cloned_at timestamptz
);
