-- The next free uid of a host is one above the greatest, whose look-up must not read every thread there ever was.
create index thread_folders_by_uid on thread_folders (host_id, jail_uid);
create index sandboxes_by_uid on sandboxes (host_id, jail_uid);
