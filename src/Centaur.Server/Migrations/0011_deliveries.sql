-- The outbox: what must still reach a person. "The turn has ended" is in agent_execution_requests, "its author was told" is here.
create table agent_final_delivery_outbox (
    -- The execution whose answer it is; of a notice that belongs to no execution, an id of its sender's making.
    execution_id text primary key,
    thread_key text not null,
    delivery jsonb not null default '{}',
    final_payload jsonb,
    state text not null check (state in ('awaiting_terminal', 'pending', 'sending', 'retry_wait', 'delivered', 'dead_letter')),
    attempt_count int not null default 0,
    next_attempt_at timestamptz,
    last_attempt_at timestamptz,
    last_error text,
    lease_owner text,
    lease_expires_at timestamptz,
    delivered_at timestamptz,
    -- When the watchdog told of it; once.
    overdue_at timestamptz,
    -- When there was something to deliver.
    ready_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    check ((state = 'awaiting_terminal') = (final_payload is null)),
    check ((state = 'awaiting_terminal') = (ready_at is null)),
    check ((state = 'sending') = (lease_owner is not null)),
    check ((lease_owner is null) = (lease_expires_at is null)),
    check ((state = 'delivered') = (delivered_at is not null)),
    check (state not in ('pending', 'retry_wait') or next_attempt_at is not null)
);
create index agent_final_delivery_outbox_due on agent_final_delivery_outbox (next_attempt_at) where state in ('pending', 'retry_wait');
create index agent_final_delivery_outbox_sending on agent_final_delivery_outbox (lease_expires_at) where state = 'sending';
create index agent_final_delivery_outbox_awaiting on agent_final_delivery_outbox (created_at) where state = 'awaiting_terminal';
create index agent_final_delivery_outbox_late on agent_final_delivery_outbox (ready_at) where state <> 'delivered' and overdue_at is null;
