"""The main agent's room: for now it runs plans; the conversation has its own place here."""
