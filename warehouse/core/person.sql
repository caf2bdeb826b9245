-- The people of the identity zone, without anything that tells who they are. Grain and key: person_id.
with member as (
  select distinct person_id from identity.membership where known_to is null
), outline as (
  select person_id, birth_month, sex, ethnicity_code, death_date from identity.person_outline where known_to is null
)
select member.person_id,
       outline.birth_month,
       outline.sex,
       outline.ethnicity_code,
       outline.death_date
  from member
  left join outline on outline.person_id = member.person_id
