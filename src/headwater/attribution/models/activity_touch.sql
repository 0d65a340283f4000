-- Every task and event with the touch it makes, or the reason why it makes none. The first rule that fits decides.

DROP TABLE IF EXISTS activity_touch;
CREATE TABLE activity_touch AS
WITH activity AS (
    SELECT
        activity_id, 'Task' AS sobject, who_id, COALESCE(activity_type, '') AS activity_type, subject, status,
        COALESCE(is_closed, FALSE) AS is_completed, activity_date_utc, created_utc, completed_utc,
        CAST(NULL AS TIMESTAMP) AS start_utc
    FROM source_task
    UNION ALL
    SELECT
        activity_id, 'Event' AS sobject, who_id, COALESCE(activity_type, '') AS activity_type, subject,
        CAST(NULL AS VARCHAR) AS status, TRUE AS is_completed, activity_date_utc, created_utc,
        CAST(NULL AS TIMESTAMP) AS completed_utc, start_utc
    FROM source_event
),
activity_kind AS (
    SELECT DISTINCT sobject, activity_type, is_completed FROM activity
),
first_rule AS (
    SELECT k.sobject, k.activity_type, k.is_completed, MIN(r.rule_order) AS rule_order
    FROM activity_kind AS k
    INNER JOIN rule_activity AS r
        ON r.sobject = k.sobject
        AND (r.activity_type IS NULL OR r.activity_type = LOWER(k.activity_type))
        AND (k.is_completed OR NOT r.completed_only)
    GROUP BY k.sobject, k.activity_type, k.is_completed
),
activity_rule AS (
    SELECT DISTINCT rule_order, campaign_name, date_field, channel, subchannel FROM rule_activity
),
decision AS (
    SELECT f.sobject, f.activity_type, f.is_completed, r.campaign_name, r.date_field, r.channel, r.subchannel
    FROM first_rule AS f
    INNER JOIN activity_rule AS r ON r.rule_order = f.rule_order
),
dated AS (
    SELECT
        a.activity_id, a.sobject, a.who_id, a.activity_type, a.subject, a.status,
        d.campaign_name, d.channel, d.subchannel,
        CASE d.date_field
            WHEN 'ActivityDate' THEN a.activity_date_utc
            WHEN 'CreatedDate' THEN a.created_utc
            WHEN 'CompletedDateTime' THEN a.completed_utc
            WHEN 'StartDateTime' THEN a.start_utc
        END AS touch_utc
    FROM activity AS a
    LEFT JOIN decision AS d
        ON d.sobject = a.sobject AND d.activity_type = a.activity_type AND d.is_completed = a.is_completed
)
SELECT
    d.activity_id,
    d.sobject,
    p.person_key,
    p.lead_id,
    p.contact_id,
    d.touch_utc,
    COALESCE(NULLIF(d.activity_type, ''), d.sobject) AS activity_type,
    d.subject,
    d.channel,
    d.subchannel,
    TRIM(
        REPLACE(
            REPLACE(
                REPLACE(d.campaign_name, '{Type}', d.activity_type), '{Subject}', COALESCE(d.subject, '')
            ),
            '{Status}', COALESCE(d.status, '')
        )
    ) AS campaign_name,
    CASE
        WHEN d.channel IS NULL THEN 'no_rule_matched'
        WHEN p.record_id IS NULL THEN 'person_unknown'
        WHEN p.person_key IS NULL THEN 'no_email'
        WHEN d.touch_utc IS NULL THEN 'no_date'
        WHEN d.touch_utc > s.as_of_utc THEN 'after_as_of'
    END AS reason
FROM dated AS d
CROSS JOIN run_setting AS s
LEFT JOIN person_record AS p ON p.record_id = d.who_id;

-- audit: every_activity_is_judged_once
SELECT (SELECT COUNT(*) FROM activity_touch) AS judged
WHERE (SELECT COUNT(*) FROM activity_touch)
    <> (SELECT COUNT(*) FROM source_task) + (SELECT COUNT(*) FROM source_event);
