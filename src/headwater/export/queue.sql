-- What to send: wanted records that are not written as they should be, and written records that nobody wants any more.
CREATE TEMP VIEW queue AS
SELECT
    'upsert' AS action,
    wanted.sobject,
    wanted.unique_id,
    wanted.content_hash,
    coalesce(written.salesforce_id, '') AS salesforce_id,
    wanted.record
FROM wanted
LEFT JOIN written
    ON written.sobject = wanted.sobject
    AND written.unique_id = wanted.unique_id
WHERE written.content_hash IS DISTINCT FROM wanted.content_hash
UNION ALL
SELECT
    'delete' AS action,
    written.sobject,
    written.unique_id,
    written.content_hash,
    written.salesforce_id,
    '' AS record
FROM written
LEFT JOIN wanted
    ON wanted.sobject = written.sobject
    AND wanted.unique_id = written.unique_id
WHERE wanted.unique_id IS NULL;
