"""What a tool is: its request, schema, arguments, result, context and confirmation."""
