#!/bin/sh
# Run after the migration: gives each role that signs in its own password, from the environment (governance CTL-2).
set -eu
for role in loader linker publisher returns_officer analyst auditor; do
  name=$(printf '%s' "$role" | tr '[:lower:]' '[:upper:]')
  eval "password=\$ONESTORY_PASSWORD_$name"
  psql -v ON_ERROR_STOP=1 "$ONESTORY_ADMIN_URL" -v password="$password" <<SQL
alter role onestory_$role password :'password';
SQL
done
