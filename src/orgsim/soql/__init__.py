"""SOQL: a lark grammar, a syntax tree, and a compiler to SQLite SQL. Nothing is evaluated row by row in Python."""
