-- The people of the pinned release with their best-known details. Grain and key: person_id.
select person_id,
       nhs_number,
       nhs_number_verified,
       forename,
       surname,
       birth_date,
       death_date,
       sex,
       ethnicity_code,
       postcode,
       gp_practice_code
  from returns.person
