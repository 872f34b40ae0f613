-- Sandboxes that were given up and may still run: told to end, or given up by another host while theirs was gone. Until they have ended, no other may use
-- their thread's folder on their host.
create view sandboxes_ending as
select sandbox_id, host_id, thread_key
from sandboxes
where state = 'stopping' or state = 'dead' and cause = 'host_gone' and cleared_at is null;
