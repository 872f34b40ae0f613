-- Steps are bounded by events: one thread may have said more in a day than a statement may take time for.
drop function compact_events(timestamptz, int);

-- Moves events from before a time into chunks of about a quarter of a megabyte, a thread's oldest first, and returns how many those were: 0 where nothing is
-- left, or where somebody else is at it. A reader sees each event once, here or there.
create function compact_events(before timestamptz, most_events int) returns int language plpgsql as $$
declare
    stored int;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('centaur compact_events', 0)) then
        return 0;
    end if;
    with chosen as (
        select event_id, created_at from agent_execution_event_rows where created_at < before order by thread_key, event_id limit most_events
    ), moved as (
        delete from agent_execution_event_rows r using chosen
        where r.event_id = chosen.event_id and r.created_at = chosen.created_at and r.created_at < before
        returning r.*
    ), cut as (
        select *, sum(octet_length(event_json::text) + 64) over (partition by thread_key, execution_id order by event_id) / 262144 as chunk from moved
    ), chunks as (
        insert into agent_execution_event_chunks
        select thread_key, execution_id, min(event_id), max(event_id), max(created_at), array_agg(event_id order by event_id), array_agg(event_kind order by event_id),
               array_agg(event_json::text order by event_id), array_agg(first_seq order by event_id), array_agg(last_seq order by event_id), array_agg(created_at order by event_id)
        from cut
        group by thread_key, execution_id, chunk
        returning cardinality(event_ids) as events
    )
    select coalesce(sum(events), 0) into stored from chunks;
    return stored;
end $$;
