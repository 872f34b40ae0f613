create table agent_runtime_assignments (
    thread_key text not null,
    assignment_generation int not null check (assignment_generation > 0),
    runtime_id text not null,
    harness text not null,
    engine text,
    persona_id text,
    prompt_ref text not null,
    effective_agents_md_sha256 text not null,
    agents_md_override text,
    state text not null check (state in ('active', 'released')),
    released_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (thread_key, assignment_generation),
    check ((state = 'released') = (released_at is not null))
);
create unique index agent_runtime_assignments_one_active on agent_runtime_assignments (thread_key) where state = 'active';

create table agent_spawn_requests (
    thread_key text not null,
    spawn_id text not null,
    request_hash text not null,
    response_json jsonb not null,
    created_at timestamptz not null default now(),
    primary key (thread_key, spawn_id)
);

create table agent_message_requests (
    thread_key text not null,
    message_id text not null,
    assignment_generation int not null,
    request_hash text not null,
    event_json jsonb not null,
    metadata jsonb not null default '{}',
    delivered_execution_id text,
    created_at timestamptz not null default now(),
    primary key (thread_key, message_id)
);

create table chat_messages (
    id text primary key,
    thread_key text not null,
    role text not null check (role in ('user', 'assistant', 'system')),
    parts jsonb not null,
    user_id text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default clock_timestamp()
);
create index chat_messages_by_thread on chat_messages (thread_key, created_at, id);

create table attachments (
    id text primary key,
    thread_key text not null,
    message_id text,
    name text not null,
    mime_type text not null,
    data bytea not null,
    created_at timestamptz not null default now()
);
create index attachments_by_thread on attachments (thread_key, created_at);
