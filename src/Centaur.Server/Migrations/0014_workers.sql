alter table agent_execution_requests
    -- The workflow run that asked for it: such executions leave a worker's reserved slots to people. Null where a person asked.
    add column workflow_run_id text,
    -- When an execution that was given back because its stream broke may be claimed again.
    add column retry_at timestamptz,
    add check (status <> 'retry_wait' or worker_id is not null or retry_at is not null);

-- What people have queued is found at once, however many executions of workflows wait.
create index agent_execution_requests_people_queue on agent_execution_requests (created_at) where status = 'queued' and workflow_run_id is null;
create index agent_execution_requests_unowned on agent_execution_requests (created_at) where status in ('cancel_requested', 'retry_wait') and worker_id is null;
