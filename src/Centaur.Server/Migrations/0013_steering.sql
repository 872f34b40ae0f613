-- A message that was sent into a running turn. Until somebody has delivered it, it waits like any other message and the thread's next turn takes it.
alter table agent_message_requests
    add column steers_execution_id text,
    add column steer_receipt text check (steer_receipt in ('applied', 'queued')),
    add check (steer_receipt is null or steers_execution_id is not null);

create index agent_message_requests_steering on agent_message_requests (steers_execution_id) where steers_execution_id is not null and delivered_execution_id is null;
create index agent_message_requests_waiting on agent_message_requests (thread_key) where delivered_execution_id is null;
