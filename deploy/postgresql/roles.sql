-- Two roles: one owns the schema and migrates it, the other one is that of the API and of the probers. Run it as a
-- superuser: psql -v owner_password=… -v service_password=… -f roles.sql
create role healthmonitor_owner login password :'owner_password';
create role healthmonitor login password :'service_password' connection limit -1;
create database healthmonitor owner healthmonitor_owner encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0;
revoke all on database healthmonitor from public;
grant connect on database healthmonitor to healthmonitor;

\connect healthmonitor
alter schema public owner to healthmonitor_owner;
revoke all on schema public from public;
grant usage on schema public to healthmonitor;
-- For what migrations make, now and later.
alter default privileges for role healthmonitor_owner in schema public
  grant select, insert, update, delete on tables to healthmonitor;
alter default privileges for role healthmonitor_owner in schema public
  grant usage, select, update on sequences to healthmonitor;
alter default privileges for role healthmonitor_owner in schema public
  grant execute on functions to healthmonitor;
