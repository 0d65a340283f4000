"""Salesforce's formula language, compiled to SQL expressions: formula fields and validation rules are made of it."""
