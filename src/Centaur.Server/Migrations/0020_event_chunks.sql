-- The log of days that are over. The events of one execution stand together and compressed: indexes included they take a fifth of what they take one by one.
alter table agent_execution_events rename to agent_execution_event_rows;

create table agent_execution_event_chunks (
    thread_key text not null,
    execution_id text,
    -- Chunks of one thread may overlap: a queued execution speaks while another runs.
    first_event_id bigint not null,
    last_event_id bigint not null,
    newest_at timestamptz not null,
    event_ids bigint[] not null,
    event_kinds text[] not null,
    event_jsons text[] not null,
    first_seqs bigint[] not null,
    last_seqs bigint[] not null,
    created_ats timestamptz[] not null,
    check (first_event_id <= last_event_id)
);

create index agent_execution_event_chunks_by_thread on agent_execution_event_chunks (thread_key, last_event_id);
create index agent_execution_event_chunks_by_age on agent_execution_event_chunks (newest_at);

-- lz4 finds what repeats within a whole chunk, the standard method within 4 kB of it. A Postgres that was built without it keeps the standard.
do $$
declare
    name text;
begin
    foreach name in array array['event_ids', 'event_kinds', 'event_jsons', 'first_seqs', 'last_seqs', 'created_ats'] loop
        execute format('alter table agent_execution_event_chunks alter column %I set compression lz4', name);
    end loop;
exception
    when feature_not_supported then null;
end $$;

-- The contract's table. What is written into it goes to the rows.
create view agent_execution_events as
select event_id, thread_key, execution_id, event_kind, event_json, first_seq, last_seq, created_at
from agent_execution_event_rows
union all
select e.event_id, c.thread_key, c.execution_id, e.event_kind, e.event_json::jsonb, e.first_seq, e.last_seq, e.created_at
from agent_execution_event_chunks c,
     unnest(c.event_ids, c.event_kinds, c.event_jsons, c.first_seqs, c.last_seqs, c.created_ats) as e (event_id, event_kind, event_json, first_seq, last_seq, created_at);

alter view agent_execution_events alter column event_id set default nextval('agent_execution_events_event_id_seq');
alter view agent_execution_events alter column created_at set default now();

create function store_event_row() returns trigger language plpgsql as $$
begin
    insert into agent_execution_event_rows values (new.event_id, new.thread_key, new.execution_id, new.event_kind, new.event_json, new.first_seq, new.last_seq, new.created_at);
    return new;
end $$;

create trigger store_event_row instead of insert on agent_execution_events for each row execute function store_event_row();

create or replace view readable.agent_execution_events with (security_barrier) as
select event_id, thread_key, execution_id, event_kind, event_json, created_at
from agent_execution_events
where (select current_setting('centaur.reader', true)) = '*' or thread_key in (select thread_key from own_threads);

create or replace function ensure_event_partitions(days_ahead int) returns void language plpgsql as $$
declare
    day date;
begin
    for day in select generate_series((now() at time zone 'utc')::date, (now() at time zone 'utc')::date + days_ahead, interval '1 day')::date loop
        if to_regclass(format('agent_execution_events_%s', to_char(day, 'YYYYMMDD'))) is null then
            execute format(
                'create table %I partition of agent_execution_event_rows for values from (%L) to (%L)',
                'agent_execution_events_' || to_char(day, 'YYYYMMDD'),
                day::timestamp at time zone 'utc', (day + 1)::timestamp at time zone 'utc');
        end if;
    end loop;
end $$;

-- Moves the events of some threads from before a time into chunks of about a quarter of a megabyte, and returns how many threads that were: 0 where nothing is
-- left, or where somebody else is at it. A reader sees each event once, here or there.
create function compact_events(before timestamptz, most_threads int) returns int language plpgsql as $$
declare
    chosen text[];
begin
    if not pg_try_advisory_xact_lock(hashtextextended('centaur compact_events', 0)) then
        return 0;
    end if;
    select array_agg(thread_key) into chosen
    from (select distinct thread_key from agent_execution_event_rows where created_at < before limit most_threads) as next;
    if chosen is null then
        return 0;
    end if;
    with moved as (
        delete from agent_execution_event_rows where thread_key = any (chosen) and created_at < before returning *
    ), cut as (
        select *, sum(octet_length(event_json::text) + 64) over (partition by thread_key, execution_id order by event_id) / 262144 as chunk from moved
    )
    insert into agent_execution_event_chunks
    select thread_key, execution_id, min(event_id), max(event_id), max(created_at), array_agg(event_id order by event_id), array_agg(event_kind order by event_id),
           array_agg(event_json::text order by event_id), array_agg(first_seq order by event_id), array_agg(last_seq order by event_id), array_agg(created_at order by event_id)
    from cut
    group by thread_key, execution_id, chunk;
    return cardinality(chosen);
end $$;

-- Drops the partitions of days that are over and that hold nothing any more. It waits a second for its lock: readers that come meanwhile wait behind it.
create function drop_empty_event_days(before date) returns void language plpgsql as $$
declare
    day regclass;
    used boolean;
begin
    perform set_config('lock_timeout', '1s', true);
    for day in
        select inhrelid::regclass from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'agent_execution_event_rows'::regclass and relname ~ '_\d{8}$' and to_date(right(relname, 8), 'YYYYMMDD') < before
    loop
        lock table only agent_execution_event_rows in access exclusive mode;
        execute format('select exists (select from %s)', day) into used;
        if not used then
            execute format('drop table %s', day);
        end if;
    end loop;
end $$;
