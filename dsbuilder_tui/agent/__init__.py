"""The main agent: it talks with a person, designs the plan with them, and steers the run through the session facade."""
