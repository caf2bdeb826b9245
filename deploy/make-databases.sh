#!/bin/sh
# Run once by the PostgreSQL image when its volume is empty: two databases, two owners, and the simulated mart.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" \
  -v airflow_password="$AIRFLOW_DATABASE_PASSWORD" -v reader_password="$HDM_READER_PASSWORD" <<'SQL'
create role airflow login password :'airflow_password';
create role hdm_reader login password :'reader_password';
create database airflow owner airflow;
create database warehouse;
create database hdm;
SQL
