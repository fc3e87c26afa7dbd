-- The destination's side of a pipeline named «sluice». Run as a superuser in the database that gets the tables.

CREATE ROLE sluice LOGIN PASSWORD 'replace me';

-- Schemas, tables and the ledger (schema sluice_ledger) are created by Sluice and belong to it.
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO sluice', current_database()); END $$;
GRANT USAGE, CREATE ON SCHEMA public TO sluice;

-- For tables that are there already:
-- GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON public.orders TO sluice;
