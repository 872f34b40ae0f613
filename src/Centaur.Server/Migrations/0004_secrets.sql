-- Names, sources and bindings of secrets. Values are the broker's alone.
create table secrets (
    name text primary key check (name ~ '^[A-Za-z_][A-Za-z0-9_]{0,127}$'),
    source jsonb not null,
    bindings jsonb not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
