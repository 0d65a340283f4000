-- The touches that an opportunity may credit: of the people its mapping includes, and no later than its close.
-- `opportunity_key` numbers the opportunities of this run: steps join on it, as long ids are slow to compare.

DROP TABLE IF EXISTS opportunity_fact;
CREATE TABLE opportunity_fact AS
SELECT
    ROW_NUMBER() OVER (ORDER BY opportunity_id) AS opportunity_key,
    opportunity_id,
    account_id,
    created_utc,
    COALESCE(is_closed, FALSE) AS is_closed,
    COALESCE(is_closed, FALSE) AND COALESCE(is_won, FALSE) AS is_won,
    CASE WHEN is_closed THEN CAST(close_date AS TIMESTAMP) + INTERVAL '1' DAY END AS closed_before_utc,
    CAST(ROUND(amount * 100, 0) AS BIGINT) AS opportunity_cents,
    currency_iso_code
FROM source_opportunity;

-- People are addresses: where several contacts share one, the lowest contact id stands for them.
DROP TABLE IF EXISTS opportunity_person;
CREATE TABLE opportunity_person AS
WITH included AS (
    SELECT o.opportunity_key, c.contact_id
    FROM opportunity_fact AS o
    INNER JOIN source_contact AS c ON c.account_id = o.account_id
    CROSS JOIN run_setting AS s
    WHERE s.mapping = 'account'
    UNION ALL
    SELECT o.opportunity_key, r.contact_id
    FROM source_opportunity_contact_role AS r
    INNER JOIN opportunity_fact AS o ON o.opportunity_id = r.opportunity_id
    CROSS JOIN run_setting AS s
    WHERE s.mapping = 'contact_role' OR (s.mapping = 'primary_role' AND r.is_primary)
)
SELECT i.opportunity_key, p.person_key, MIN(i.contact_id) AS contact_id
FROM included AS i
INNER JOIN person_record AS p ON p.record_id = i.contact_id
WHERE p.person_key IS NOT NULL
GROUP BY i.opportunity_key, p.person_key;

DROP TABLE IF EXISTS candidate;
CREATE TABLE candidate AS
SELECT
    o.opportunity_key,
    i.contact_id,
    i.person_key,
    t.touch_id,
    t.touch_utc,
    t.is_form,
    t.touch_utc <= p.created_utc AS is_before_person,
    t.touch_utc <= o.created_utc AS is_before_opportunity,
    ROW_NUMBER() OVER (PARTITION BY o.opportunity_key ORDER BY t.touch_utc, t.touch_id) AS place
FROM opportunity_fact AS o
INNER JOIN opportunity_person AS i ON i.opportunity_key = o.opportunity_key
INNER JOIN person AS p ON p.person_key = i.person_key
INNER JOIN touch AS t ON t.person_key = i.person_key
CROSS JOIN run_setting AS s
WHERE t.touch_utc <= s.as_of_utc AND (o.closed_before_utc IS NULL OR t.touch_utc < o.closed_before_utc);

-- audit: a_touch_stands_once_on_an_opportunity
SELECT opportunity_key, touch_id FROM candidate GROUP BY opportunity_key, touch_id HAVING COUNT(*) > 1;
