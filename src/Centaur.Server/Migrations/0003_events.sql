-- The append-only log of a thread. What a reader sees under an id is stored here. Partitions by day: retention drops them whole.
create sequence agent_execution_events_event_id_seq as bigint;

create table agent_execution_events (
    event_id bigint not null default nextval('agent_execution_events_event_id_seq'),
    thread_key text not null,
    execution_id text,
    event_kind text not null,
    event_json jsonb not null,
    -- The frames of the sandbox that this event was made from; null for events of the control plane.
    first_seq bigint,
    last_seq bigint,
    created_at timestamptz not null default now(),
    primary key (event_id, created_at),
    check ((first_seq is null) = (last_seq is null)),
    check (first_seq <= last_seq)
) partition by range (created_at);

create index agent_execution_events_by_thread on agent_execution_events (thread_key, event_id);

-- Holds what no daily partition takes; stays empty while the server makes partitions ahead of time.
create table agent_execution_events_rest partition of agent_execution_events default;

create function ensure_event_partitions(days_ahead int) returns void language plpgsql as $$
declare
    day date;
begin
    for day in select generate_series((now() at time zone 'utc')::date, (now() at time zone 'utc')::date + days_ahead, interval '1 day')::date loop
        if to_regclass(format('agent_execution_events_%s', to_char(day, 'YYYYMMDD'))) is null then
            execute format(
                'create table %I partition of agent_execution_events for values from (%L) to (%L)',
                'agent_execution_events_' || to_char(day, 'YYYYMMDD'),
                day::timestamp at time zone 'utc', (day + 1)::timestamp at time zone 'utc');
        end if;
    end loop;
end $$;

select ensure_event_partitions(7);
