-- What the proxies recorded, shipped from the hosts' audit files. Partitions by day of storing: retention drops them whole, and with them the beginning of a chain.
create sequence egress_records_record_id_seq as bigint;

create table egress_records (
    record_id bigint not null default nextval('egress_records_record_id_seq'),
    sandbox_id text not null,
    -- The line's place in the sandbox's audit file; the first is 1.
    line_number bigint not null check (line_number > 0),
    kind text not null,
    -- Binds the intent, the outcome and the refusals of one request.
    request_id text,
    thread_key text,
    turn_id text,
    recorded_at timestamptz not null,
    -- The line as it stands in the file, without its line feed: the chain's hash is over these very bytes.
    line text not null,
    -- Never before that of the line before it.
    stored_at timestamptz not null,
    primary key (record_id, stored_at)
) partition by range (stored_at);

create index egress_records_by_thread on egress_records (thread_key, record_id);
create index egress_records_by_sandbox on egress_records (sandbox_id, line_number);

create table egress_records_rest partition of egress_records default;

-- How far a sandbox's audit file is stored. Advances by compare-and-set together with the rows: a line is stored once, whoever ships it.
create table egress_anchors (
    sandbox_id text primary key,
    host_id text not null,
    bytes bigint not null default 0 check (bytes >= 0),
    lines bigint not null default 0 check (lines >= 0),
    -- The hash of the last line that is stored.
    head bytea not null default decode(repeat('00', 32), 'hex') check (octet_length(head) = 32),
    -- The last line that retention has taken, and its hash: the rows that are left begin behind it.
    base_lines bigint not null default 0 check (base_lines <= lines),
    base_head bytea not null default decode(repeat('00', 32), 'hex') check (octet_length(base_head) = 32),
    -- The line at which the file's chain does not hold, and why. Nothing is stored from there on.
    broken_line bigint,
    broken_cause text,
    shipped_at timestamptz not null default clock_timestamp(),
    -- The sandbox is gone and so is its file: nothing comes any more.
    closed_at timestamptz,
    check ((broken_line is null) = (broken_cause is null)),
    check (closed_at is null or broken_line is null)
);

create index egress_anchors_broken on egress_anchors (sandbox_id) where broken_line is not null;

create function ensure_egress_partitions(days_ahead int) returns void language plpgsql as $$
declare
    day date;
begin
    for day in select generate_series((now() at time zone 'utc')::date, (now() at time zone 'utc')::date + days_ahead, interval '1 day')::date loop
        if to_regclass(format('egress_records_%s', to_char(day, 'YYYYMMDD'))) is null then
            execute format(
                'create table %I partition of egress_records for values from (%L) to (%L)',
                'egress_records_' || to_char(day, 'YYYYMMDD'),
                day::timestamp at time zone 'utc', (day + 1)::timestamp at time zone 'utc');
        end if;
    end loop;
end $$;

-- Drops the partitions whose last record is older than so many days, and remembers where each chain goes on. Returns how many it dropped.
create function expire_egress_records(keep_days int) returns int language plpgsql as $$
declare
    part text;
    dropped int := 0;
begin
    for part in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'egress_records'::regclass and c.relname ~ '^egress_records_[0-9]{8}$'
          and to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= ((now() - make_interval(days => keep_days)) at time zone 'utc')::date
        order by c.relname
    loop
        -- The last 66 characters of a line are its hash and its end.
        execute format(
            'update egress_anchors a set base_lines = last.line_number, base_head = decode(left(right(last.line, 66), 64), ''hex'')
             from (select distinct on (sandbox_id) sandbox_id, line_number, line from %I order by sandbox_id, line_number desc) last
             where a.sandbox_id = last.sandbox_id and last.line_number > a.base_lines and last.line_number <= a.lines', part);
        execute format('drop table %I', part);
        dropped := dropped + 1;
    end loop;
    delete from egress_anchors where closed_at is not null and base_lines = lines and shipped_at < now() - make_interval(days => keep_days);
    return dropped;
end $$;

select ensure_egress_partitions(7);
