-- Every campaign member with the touch it makes, or the reason why it makes none. The first rule that fits decides.

DROP TABLE IF EXISTS campaign_touch;
CREATE TABLE campaign_touch AS
WITH campaign_rule AS (
    SELECT c.campaign_id, r.rule_order, r.responded_only, r.is_include, r.date_1, r.date_2, r.date_3
    FROM source_campaign AS c
    INNER JOIN rule_campaign AS r
        ON r.campaign_type IS NULL OR r.campaign_type = LOWER(c.campaign_type)
),
answer AS (
    SELECT TRUE AS has_responded
    UNION ALL
    SELECT FALSE AS has_responded
),
first_rule AS (
    SELECT r.campaign_id, a.has_responded, MIN(r.rule_order) AS rule_order
    FROM campaign_rule AS r
    CROSS JOIN answer AS a
    WHERE a.has_responded OR NOT r.responded_only
    GROUP BY r.campaign_id, a.has_responded
),
decision AS (
    SELECT f.campaign_id, f.has_responded, r.is_include, r.date_1, r.date_2, r.date_3
    FROM first_rule AS f
    INNER JOIN campaign_rule AS r ON r.campaign_id = f.campaign_id AND r.rule_order = f.rule_order
),
ruled_campaign AS (
    SELECT DISTINCT campaign_id FROM campaign_rule
),
campaign AS (
    SELECT
        c.campaign_id,
        c.campaign_name,
        c.campaign_type,
        COALESCE(r.channel, 'Other') AS channel,
        r.subchannel
    FROM source_campaign AS c
    LEFT JOIN rule_channel AS r ON r.campaign_type = LOWER(c.campaign_type)
),
member AS (
    SELECT
        m.member_id,
        m.campaign_id,
        m.lead_id,
        m.contact_id,
        p.record_id,
        p.person_key,
        u.campaign_id AS ruled_campaign_id,
        d.is_include,
        COALESCE(
            CASE d.date_1
                WHEN 'CreatedDate' THEN m.created_utc
                WHEN 'FirstRespondedDate' THEN m.first_responded_utc
                WHEN 'override' THEN m.override_utc
            END,
            CASE d.date_2
                WHEN 'CreatedDate' THEN m.created_utc
                WHEN 'FirstRespondedDate' THEN m.first_responded_utc
                WHEN 'override' THEN m.override_utc
            END,
            CASE d.date_3
                WHEN 'CreatedDate' THEN m.created_utc
                WHEN 'FirstRespondedDate' THEN m.first_responded_utc
                WHEN 'override' THEN m.override_utc
            END
        ) AS touch_utc
    FROM source_campaign_member AS m
    LEFT JOIN ruled_campaign AS u ON u.campaign_id = m.campaign_id
    LEFT JOIN decision AS d
        ON d.campaign_id = m.campaign_id AND d.has_responded = COALESCE(m.has_responded, FALSE)
    LEFT JOIN person_record AS p ON p.record_id = COALESCE(m.contact_id, m.lead_id)
)
SELECT
    m.member_id,
    m.campaign_id,
    m.lead_id,
    m.contact_id,
    m.person_key,
    m.touch_utc,
    c.campaign_name,
    c.campaign_type,
    c.channel,
    c.subchannel,
    CASE
        WHEN m.ruled_campaign_id IS NULL THEN 'no_rule_matched'
        WHEN m.is_include IS NULL THEN 'not_responded'
        WHEN NOT m.is_include THEN 'campaign_excluded'
        WHEN m.record_id IS NULL THEN 'person_unknown'
        WHEN m.person_key IS NULL THEN 'no_email'
        WHEN m.touch_utc IS NULL THEN 'no_date'
        WHEN m.touch_utc > s.as_of_utc THEN 'after_as_of'
    END AS reason
FROM member AS m
CROSS JOIN run_setting AS s
LEFT JOIN campaign AS c ON c.campaign_id = m.campaign_id;

-- audit: every_member_is_judged_once
SELECT (SELECT COUNT(*) FROM campaign_touch) AS judged
WHERE (SELECT COUNT(*) FROM campaign_touch) <> (SELECT COUNT(*) FROM source_campaign_member);
