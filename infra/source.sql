-- The source's side of a pipeline named «sluice». Run as a superuser in the database that holds the tables, after
-- setting wal_level = logical (and restarting). Replace the password, and name your schemas.

CREATE ROLE sluice LOGIN REPLICATION PASSWORD 'replace me';

-- The publication: Debezium Server's prepare step creates it, empty, if it may.
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO sluice', current_database()); END $$;

-- Reading tables.
GRANT USAGE ON SCHEMA public TO sluice;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO sluice;

-- A table joins a publication only by its owner. Give Sluice the role that owns the tables:
-- GRANT app_owner TO sluice;

-- Who is waited for before a backfill starts is told by name only to a member of this role.
GRANT pg_read_all_stats TO sluice;
