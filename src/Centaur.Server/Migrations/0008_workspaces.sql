-- A repository that a client uploaded for a thread as a git bundle, which the jail clones. It stays: on another host the thread is cloned anew.
create table workspace_bundles (
    thread_key text primary key,
    name text not null,
    data bytea not null,
    created_at timestamptz not null default now()
);
