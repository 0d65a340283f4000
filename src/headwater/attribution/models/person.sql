-- Who a touch belongs to. A person is an e-mail address; a converted lead goes by the address of its contact.

DROP TABLE IF EXISTS person_record;
CREATE TABLE person_record AS
WITH contact_person AS (
    SELECT contact_id, account_id, created_utc, NULLIF(LOWER(TRIM(email)), '') AS person_key
    FROM source_contact
),
lead_person AS (
    SELECT
        l.lead_id,
        l.created_utc,
        COALESCE(c.person_key, NULLIF(LOWER(TRIM(l.email)), '')) AS person_key,
        c.contact_id
    FROM source_lead AS l
    LEFT JOIN contact_person AS c
        ON l.is_converted AND c.contact_id = l.converted_contact_id AND c.person_key IS NOT NULL
)
SELECT
    contact_id AS record_id,
    'contact' AS record_kind,
    person_key,
    CAST(NULL AS VARCHAR) AS lead_id,
    contact_id,
    account_id,
    created_utc,
    TRUE AS is_shown
FROM contact_person
UNION ALL
SELECT
    lead_id AS record_id,
    'lead' AS record_kind,
    person_key,
    lead_id,
    contact_id,
    CAST(NULL AS VARCHAR) AS account_id,
    created_utc,
    contact_id IS NULL AS is_shown
FROM lead_person;

DROP TABLE IF EXISTS person;
CREATE TABLE person AS
SELECT person_key, MIN(created_utc) AS created_utc
FROM person_record
WHERE person_key IS NOT NULL
GROUP BY person_key;

-- audit: each_lead_and_contact_stands_once
SELECT record_id FROM person_record GROUP BY record_id HAVING COUNT(*) > 1;
