-- Every touch of every known person, and every record that made none. A person is touched once by a campaign.

DROP TABLE IF EXISTS campaign_entry;
CREATE TABLE campaign_entry AS
SELECT
    *,
    ROW_NUMBER() OVER (PARTITION BY person_key, campaign_id ORDER BY touch_utc, member_id) AS entry
FROM campaign_touch
WHERE reason IS NULL;

DROP TABLE IF EXISTS touch;
CREATE TABLE touch AS
SELECT
    member_id AS touch_id,
    person_key,
    lead_id,
    contact_id,
    touch_utc,
    'campaign_member' AS kind,
    TRUE AS is_form,
    channel,
    subchannel,
    channel || COALESCE('.' || subchannel, '') AS channel_path,
    'CRM' AS touchpoint_type,
    'CRM Campaign' AS touchpoint_source,
    campaign_type AS medium,
    campaign_id,
    campaign_id AS ad_campaign_id,
    campaign_name AS ad_campaign_name,
    CAST(NULL AS VARCHAR) AS ad_content,
    CAST(NULL AS VARCHAR) AS ad_id
FROM campaign_entry
WHERE entry = 1
UNION ALL
SELECT
    activity_id AS touch_id,
    person_key,
    lead_id,
    contact_id,
    touch_utc,
    LOWER(sobject) AS kind,
    TRUE AS is_form,
    channel,
    subchannel,
    channel || COALESCE('.' || subchannel, '') AS channel_path,
    LEFT(activity_type, 16) AS touchpoint_type,
    'CRM Activity' AS touchpoint_source,
    activity_type AS medium,
    CAST(NULL AS VARCHAR) AS campaign_id,
    CAST(NULL AS VARCHAR) AS ad_campaign_id,
    campaign_name AS ad_campaign_name,
    subject AS ad_content,
    activity_id AS ad_id
FROM activity_touch
WHERE reason IS NULL;

DROP TABLE IF EXISTS dropped_touch;
CREATE TABLE dropped_touch AS
SELECT member_id AS source_id, 'campaign_member' AS kind, reason FROM campaign_touch WHERE reason IS NOT NULL
UNION ALL
SELECT member_id AS source_id, 'campaign_member' AS kind, 'already_in_campaign' AS reason
FROM campaign_entry
WHERE entry > 1
UNION ALL
SELECT activity_id AS source_id, LOWER(sobject) AS kind, reason FROM activity_touch WHERE reason IS NOT NULL;

-- audit: every_record_is_a_touch_or_dropped
SELECT (SELECT COUNT(*) FROM touch) AS touches, (SELECT COUNT(*) FROM dropped_touch) AS dropped
WHERE (SELECT COUNT(*) FROM touch) + (SELECT COUNT(*) FROM dropped_touch)
    <> (SELECT COUNT(*) FROM campaign_touch) + (SELECT COUNT(*) FROM activity_touch);

-- audit: touch_ids_are_unique
SELECT touch_id FROM touch GROUP BY touch_id HAVING COUNT(*) > 1;
