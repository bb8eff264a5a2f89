-- The roles and the database; safe to run again at any time, by a superuser, with psql.
--
-- backports_owner owns the database and every table and runs the migrations. backports_app, as which the server runs, owns
-- nothing: it may read and write rows, and can neither change a table nor truncate it, nor step round row-level security.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT 'CREATE ROLE backports_owner'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backports_owner') \gexec
SELECT 'CREATE ROLE backports_app'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backports_app') \gexec
ALTER ROLE backports_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE backports_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
SELECT 'CREATE DATABASE backports OWNER backports_owner ENCODING ''UTF8'' TEMPLATE template0'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'backports') \gexec
ALTER DATABASE backports OWNER TO backports_owner;
REVOKE ALL ON DATABASE backports FROM PUBLIC;
GRANT CONNECT ON DATABASE backports TO backports_app;
\connect backports
SET client_min_messages = warning;
ALTER SCHEMA public OWNER TO backports_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO backports_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO backports_app;
SELECT 'REVOKE UPDATE, DELETE ON public.xsa_auditrecord FROM backports_app'
  WHERE to_regclass('public.xsa_auditrecord') IS NOT NULL \gexec
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO backports_app;
ALTER DEFAULT PRIVILEGES FOR ROLE backports_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO backports_app;
ALTER DEFAULT PRIVILEGES FOR ROLE backports_owner IN SCHEMA public
  GRANT USAGE ON SEQUENCES TO backports_app;
