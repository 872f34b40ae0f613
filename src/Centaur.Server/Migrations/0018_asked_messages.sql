-- The execution with which a message was asked for. No other takes it, unless this one failed before it began.
alter table agent_message_requests add column asked_execution_id text;
create index agent_message_requests_asked on agent_message_requests (asked_execution_id) where delivered_execution_id is null;
