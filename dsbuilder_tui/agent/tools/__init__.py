"""Tools of the main agent, one file each; every ``Tool`` defined in this folder is found by ``agent.tool_registry``."""
