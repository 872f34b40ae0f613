create table agent_release_requests (
    thread_key text not null,
    release_id text not null,
    request_hash text not null,
    response_json jsonb not null,
    created_at timestamptz not null default now(),
    primary key (thread_key, release_id)
);

-- Counts by status, for the metrics, without reading the rows.
create index agent_execution_requests_by_status on agent_execution_requests (status);

-- Files are downloaded in pieces, each by a query of its own: an uncompressed value gives a piece without being read whole.
alter table attachments alter column data set storage external;

-- What POST /agent/query may read: the contract's tables, without hashes of requests, inputs of turns, owners and the bytes of files.
create schema readable;

create view readable.agent_runtime_assignments as
select thread_key, assignment_generation, runtime_id, harness, engine, persona_id, prompt_ref, effective_agents_md_sha256, state, released_at, created_at, updated_at
from agent_runtime_assignments;

create view readable.agent_execution_requests as
select execution_id, thread_key, assignment_generation, execute_id, status, delivery, metadata, durable_turn_id, attempts, terminal_reason, result_text, error_text,
       created_at, claimed_at, started_at, completed_at, updated_at, last_progress_at, silence_deadline_at, hard_deadline_at, stream_break_count, last_stream_break_at
from agent_execution_requests;

create view readable.agent_execution_events as
select event_id, thread_key, execution_id, event_kind, event_json, created_at
from agent_execution_events;

create view readable.agent_message_requests as
select thread_key, message_id, assignment_generation, metadata, delivered_execution_id, created_at
from agent_message_requests;

create view readable.chat_messages as
select id, thread_key, role, parts, user_id, metadata, created_at
from chat_messages;

create view readable.attachments as
select id, thread_key, message_id, name, mime_type, octet_length(data) as size_bytes, created_at
from attachments;

create view readable.sandbox_sessions as
select thread_key, sandbox_id, harness, engine, state, started_at, agent_thread_id, last_delivered_id, inflight_turn_id, inflight_started_at, inflight_attempts,
       last_result, last_result_at, thread_name, trace_id, updated_at
from sandbox_sessions;
