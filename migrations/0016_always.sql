-- Also for a session that calls itself a replica (`session_replication_role`), where ordinary triggers keep silent.
ALTER TABLE events ENABLE ALWAYS TRIGGER never_rewritten;
ALTER TABLE event_tags ENABLE ALWAYS TRIGGER never_rewritten;
ALTER TABLE command_ids ENABLE ALWAYS TRIGGER never_rewritten;
ALTER TABLE seals ENABLE ALWAYS TRIGGER never_rewritten;
