-- Whose thread it is: the API key that began it. A thread that no key began, of Slack for instance, has none.
create table thread_owners (
    thread_key text primary key,
    api_key_id text not null,
    created_at timestamptz not null default now()
);

-- What a query sees is its caller's: the threads of the key in the setting centaur.reader, or all where that is '*'. As barriers, the views show nothing of other
-- rows in the errors of a caller's own conditions.
create view own_threads as
select thread_key from thread_owners where api_key_id = current_setting('centaur.reader', true);

create or replace view readable.agent_runtime_assignments with (security_barrier) as
select thread_key, assignment_generation, runtime_id, harness, engine, persona_id, prompt_ref, effective_agents_md_sha256, state, released_at, created_at, updated_at
from agent_runtime_assignments
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);

create or replace view readable.agent_execution_requests with (security_barrier) as
select execution_id, thread_key, assignment_generation, execute_id, status, delivery, metadata, durable_turn_id, attempts, terminal_reason, result_text, error_text,
       created_at, claimed_at, started_at, completed_at, updated_at, last_progress_at, silence_deadline_at, hard_deadline_at, stream_break_count, last_stream_break_at
from agent_execution_requests
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);

create or replace view readable.agent_execution_events with (security_barrier) as
select event_id, thread_key, execution_id, event_kind, event_json, created_at
from agent_execution_events
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);

create or replace view readable.agent_message_requests with (security_barrier) as
select thread_key, message_id, assignment_generation, metadata, delivered_execution_id, created_at
from agent_message_requests
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);

create or replace view readable.chat_messages with (security_barrier) as
select id, thread_key, role, parts, user_id, metadata, created_at
from chat_messages
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);

create or replace view readable.attachments with (security_barrier) as
select id, thread_key, message_id, name, mime_type, octet_length(data) as size_bytes, created_at
from attachments
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);

create or replace view readable.sandbox_sessions with (security_barrier) as
select thread_key, sandbox_id, harness, engine, state, started_at, agent_thread_id, last_delivered_id, inflight_turn_id, inflight_started_at, inflight_attempts,
       last_result, last_result_at, thread_name, trace_id, updated_at
from sandbox_sessions
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);
