-- What answers of models said that they cost, from the outcomes that proxies recorded. Outlives them: retention of the records takes nothing from here.
create table model_usage (
    sandbox_id text not null,
    line_number bigint not null,
    thread_key text,
    turn_id text,
    recorded_at timestamptz not null,
    -- Null numbers are unknown, not nothing.
    model text,
    calls int not null check (calls > 0),
    input_tokens bigint,
    cached_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    is_partial boolean not null,
    primary key (sandbox_id, line_number)
);

create index model_usage_by_thread on model_usage (thread_key, recorded_at);
create index model_usage_by_time on model_usage (recorded_at);
