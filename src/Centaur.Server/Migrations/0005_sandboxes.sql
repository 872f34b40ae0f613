create table sandboxes (
    sandbox_id text primary key,
    host_id text not null,
    -- Null while the sandbox is a spare without identity.
    thread_key text,
    harness text,
    state text not null check (state in ('starting', 'spare', 'claimed', 'stopping', 'dead')),
    -- Who owns it; raised at every claim and repeated by every attach and every write of the owner.
    worker_id text,
    fencing_generation bigint not null default 0,
    -- The last frame that is stored; advances by compare-and-set together with the rows made from the frames.
    last_seq bigint not null default 0,
    policy_version bigint not null default 0,
    jail_uid int,
    -- Name of the folder under threads/ that is the jail's home.
    folder text not null,
    cause text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    ended_at timestamptz,
    check (state = 'dead' or state = 'stopping' or state = 'starting' or (state = 'spare') = (thread_key is null))
);
create unique index sandboxes_one_live_per_thread on sandboxes (thread_key) where thread_key is not null and state in ('starting', 'claimed');
create index sandboxes_live on sandboxes (host_id, state) where state <> 'dead';
create unique index sandboxes_one_uid on sandboxes (host_id, jail_uid) where state <> 'dead';

-- A thread's home and workspace on a host, which outlive its sandboxes.
create table thread_folders (
    thread_key text not null,
    host_id text not null,
    folder text not null,
    jail_uid int,
    created_at timestamptz not null default now(),
    primary key (thread_key, host_id)
);

-- What stands for a secret in one sandbox. A placeholder is no secret: it is worth nothing outside of its own proxy.
create table sandbox_placeholders (
    sandbox_id text not null references sandboxes on delete cascade,
    secret_name text not null,
    placeholder text not null unique,
    primary key (sandbox_id, secret_name)
);

-- The contract's view of a thread's runtime (wire contract §2).
create table sandbox_sessions (
    thread_key text primary key,
    sandbox_id text,
    harness text,
    engine text,
    state text not null default 'idle' check (state in ('running', 'idle', 'delivering', 'error', 'suspended', 'stopped', 'gone')),
    started_at timestamptz not null default now(),
    agent_thread_id text,
    last_delivered_id text,
    inflight_turn_id text,
    inflight_turn_input jsonb,
    inflight_started_at timestamptz,
    inflight_attempts int not null default 0,
    last_result text,
    last_result_at timestamptz,
    wire_lease_id text,
    wire_connected_at timestamptz,
    wire_last_seen_at timestamptz,
    thread_name text,
    trace_id uuid,
    updated_at timestamptz not null default now()
);
