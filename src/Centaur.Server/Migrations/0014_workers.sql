alter table agent_execution_requests
    -- The workflow run that asked for it: such executions leave a worker's reserved slots to people. Null where a person asked.
    add column workflow_run_id text,
    -- When an execution that was given back because its stream broke may be claimed again.
    add column retry_at timestamptz,
    add check (status <> 'retry_wait' or worker_id is not null or retry_at is not null);

-- A claim reads the oldest that nobody has, and no more, however many wait; of people's alone too.
drop index agent_execution_requests_queue;
create index agent_execution_requests_claimable on agent_execution_requests (created_at) where worker_id is null and status in ('queued', 'cancel_requested', 'retry_wait');
create index agent_execution_requests_claimable_people on agent_execution_requests (created_at)
    where worker_id is null and status in ('queued', 'cancel_requested', 'retry_wait') and workflow_run_id is null;
create index agent_execution_requests_thread_queue on agent_execution_requests (thread_key, created_at) where status = 'queued';
