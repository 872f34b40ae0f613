alter table sandboxes
    -- How often its keeper was started ahead of a turn and failed.
    add column start_failures int not null default 0,
    -- The cause as a sentence for people.
    add column cause_text text,
    -- When nothing was left of a dead sandbox: its keeper ended, its files removed, its grants withdrawn.
    add column cleared_at timestamptz;
create index sandboxes_uncleared on sandboxes (host_id) where state = 'dead' and cleared_at is null;
create index sandboxes_spare on sandboxes (host_id, created_at) where state = 'spare';
create index sandboxes_ended on sandboxes (ended_at) where state = 'dead';
