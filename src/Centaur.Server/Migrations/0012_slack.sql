-- Every event that Slack was answered 200 for. A message is here before Slack hears that it was taken, and is handled from here.
create table slack_inbox (
    inbox_id bigint generated always as identity primary key,
    event_id text not null unique,
    team_id text not null,
    channel_id text,
    message_ts text,
    -- The root of the Slack thread; of a message outside of one, its own ts.
    thread_ts text,
    kind text not null check (kind in ('message', 'edit', 'delete', 'other')),
    payload jsonb not null,
    state text not null check (state in ('pending', 'started', 'refused', 'ignored')),
    -- Why it was ignored or refused.
    outcome text,
    execution_id text,
    attempts int not null default 0,
    next_attempt_at timestamptz not null default clock_timestamp(),
    received_at timestamptz not null default clock_timestamp(),
    handled_at timestamptz,
    check (kind <> 'message' or (channel_id is not null and message_ts is not null and thread_ts is not null)),
    check (state <> 'pending' or kind = 'message'),
    check ((state = 'pending') = (handled_at is null)),
    check ((state = 'started') = (execution_id is not null))
);
-- Slack tells of one mention twice, as app_mention and as message, under two event ids.
create unique index slack_inbox_one_message on slack_inbox (team_id, channel_id, message_ts) where kind = 'message';
create index slack_inbox_pending on slack_inbox (channel_id, thread_ts, message_ts) where state = 'pending';
create index slack_inbox_handled on slack_inbox (handled_at);
