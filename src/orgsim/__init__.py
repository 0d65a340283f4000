"""A Salesforce org on this machine: its logins, its APIs, its limits and its people. Shares no code with headwater."""
