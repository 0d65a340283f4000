-- One page of opportunities with their touches, or the one of $id; the last column counts all that were found.
WITH touched AS (
    SELECT opportunity_id, COUNT(*) AS touches
    FROM attribution_touchpoint
    GROUP BY opportunity_id
)
SELECT
    o.Id,
    COALESCE(o.Name, '') AS name,
    COALESCE(a.Name, '') AS account_name,
    COALESCE(o.StageName, '') AS stage,
    COALESCE(o.IsClosed, FALSE) AS is_closed,
    COALESCE(o.IsWon, FALSE) AS is_won,
    f.opportunity_cents,
    o.CreatedDate AS created_utc,
    o.CloseDate,
    COALESCE(t.touches, 0) AS touches,
    COUNT(*) OVER () AS found
FROM Opportunity AS o
INNER JOIN opportunity_fact AS f ON f.opportunity_id = o.Id
LEFT JOIN Account AS a ON a.Id = o.AccountId
LEFT JOIN touched AS t ON t.opportunity_id = o.Id
WHERE ($id = '' OR o.Id = $id)
    AND (contains(lower(COALESCE(o.Name, '')), lower($search)) OR contains(lower(COALESCE(a.Name, '')), lower($search)))
ORDER BY o.CloseDate DESC NULLS LAST, o.Id
LIMIT $rows OFFSET $skip;
