create table agent_execution_requests (
    execution_id text primary key,
    thread_key text not null,
    assignment_generation int not null,
    execute_id text not null,
    request_hash text not null,
    status text not null check (status in ('queued', 'running', 'cancel_requested', 'retry_wait', 'completed', 'failed_permanent', 'cancelled')),
    delivery jsonb not null default '{}',
    metadata jsonb not null default '{}',
    durable_turn_id text unique,
    -- How often the turn was given to a harness: once, and once more where its sandbox died under it.
    attempts int not null default 0,
    -- What the translator has learnt of the running turn, committed with the events it learnt it from: another worker goes on from here.
    turn_state jsonb,
    terminal_reason text,
    result_text text,
    error_text text,
    -- The fencing token of the owner: raised at every claim.
    fencing_generation bigint not null default 0,
    worker_id text,
    worker_lease_expires_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    claimed_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    updated_at timestamptz not null default now(),
    last_progress_at timestamptz,
    silence_deadline_at timestamptz,
    hard_deadline_at timestamptz,
    stream_break_count int not null default 0,
    last_stream_break_at timestamptz,
    unique (thread_key, execute_id),
    check ((status in ('completed', 'failed_permanent', 'cancelled')) = (completed_at is not null))
);
-- One execution of a thread runs at a time, whoever claims.
create unique index agent_execution_requests_one_live on agent_execution_requests (thread_key) where status in ('running', 'cancel_requested', 'retry_wait');
create index agent_execution_requests_queue on agent_execution_requests (created_at) where status = 'queued';
create index agent_execution_requests_owned on agent_execution_requests (worker_id) where status in ('running', 'cancel_requested', 'retry_wait');
create index agent_execution_requests_by_thread on agent_execution_requests (thread_key, created_at desc);
