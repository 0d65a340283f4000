-- What should stand in the org: one row a record, with the record as Salesforce's JSON and the hash of that text.
-- A field that is empty is sent as null, so that what was written before is emptied too.
CREATE TEMP VIEW wanted AS
WITH buyer AS (
    SELECT
        'Buyer_Touchpoint__c' AS sobject,
        unique_id,
        CAST(to_json(struct_pack(
            UniqueId__c := unique_id,
            Lead__c := lead_id,
            Contact__c := contact_id,
            SF_Campaign__c := campaign_id,
            Marketing_Channel__c := channel,
            Marketing_Channel_Path__c := channel_path,
            Touchpoint_Type__c := touchpoint_type,
            Touchpoint_Position__c := positions,
            Touchpoint_Date__c := strftime(touch_utc, '%Y-%m-%dT%H:%M:%SZ'),
            Touchpoint_Source__c := touchpoint_source,
            Medium__c := medium,
            Ad_Campaign_Id__c := ad_campaign_id,
            Ad_Campaign_Name__c := ad_campaign_name,
            Ad_Content__c := ad_content,
            User_Touchpoint_Id__c := user_touchpoint_id,
            Count_First_Touch__c := count_first_touch,
            Count_Lead_Creation_Touch__c := count_lead_creation,
            Count_U_Shaped__c := count_u_shaped
        )) AS VARCHAR) AS record
    FROM buyer_touchpoint
),
attributed AS (
    SELECT
        'Buyer_Attribution_Touchpoint__c' AS sobject,
        unique_id,
        CAST(to_json(struct_pack(
            UniqueId__c := unique_id,
            Opportunity__c := opportunity_id,
            Account__c := account_id,
            Contact__c := contact_id,
            SF_Campaign__c := campaign_id,
            Marketing_Channel__c := channel,
            Marketing_Channel_Path__c := channel_path,
            Touchpoint_Type__c := touchpoint_type,
            Touchpoint_Position__c := positions,
            Touchpoint_Date__c := strftime(touch_utc, '%Y-%m-%dT%H:%M:%SZ'),
            Touchpoint_Source__c := touchpoint_source,
            Medium__c := medium,
            Ad_Campaign_Id__c := ad_campaign_id,
            Ad_Campaign_Name__c := ad_campaign_name,
            Ad_Content__c := ad_content,
            User_Touchpoint_Id__c := user_touchpoint_id,
            Count_First_Touch__c := CAST(count_first_touch AS DECIMAL(9, 6)),
            Count_Lead_Creation_Touch__c := CAST(count_lead_creation AS DECIMAL(9, 6)),
            Count_U_Shaped__c := CAST(count_u_shaped AS DECIMAL(9, 6)),
            Count_W_Shaped__c := CAST(count_w_shaped AS DECIMAL(9, 6)),
            Count_Full_Path__c := CAST(count_full_path AS DECIMAL(9, 6)),
            Attribution_First_Touch__c := CAST(percent_first_touch AS DECIMAL(9, 4)),
            Attribution_Lead_Creation_Touch__c := CAST(percent_lead_creation AS DECIMAL(9, 4)),
            Attribution_U_Shaped__c := CAST(percent_u_shaped AS DECIMAL(9, 4)),
            Attribution_W_Shaped__c := CAST(percent_w_shaped AS DECIMAL(9, 4)),
            Attribution_Full_Path__c := CAST(percent_full_path AS DECIMAL(9, 4)),
            Revenue_First_Touch__c := CAST(revenue_cents_first_touch AS DECIMAL(20, 2)) * CAST(0.01 AS DECIMAL(3, 2)),
            Revenue_Lead_Creation_Touch__c
                := CAST(revenue_cents_lead_creation AS DECIMAL(20, 2)) * CAST(0.01 AS DECIMAL(3, 2)),
            Revenue_U_Shaped__c := CAST(revenue_cents_u_shaped AS DECIMAL(20, 2)) * CAST(0.01 AS DECIMAL(3, 2)),
            Revenue_W_Shaped__c := CAST(revenue_cents_w_shaped AS DECIMAL(20, 2)) * CAST(0.01 AS DECIMAL(3, 2)),
            Revenue_Full_Path__c := CAST(revenue_cents_full_path AS DECIMAL(20, 2)) * CAST(0.01 AS DECIMAL(3, 2))
        )) AS VARCHAR) AS record
    FROM attribution_touchpoint
),
everything AS (
    SELECT * FROM buyer
    UNION ALL
    SELECT * FROM attributed
)
SELECT sobject, unique_id, record, md5(record) AS content_hash
FROM everything;
