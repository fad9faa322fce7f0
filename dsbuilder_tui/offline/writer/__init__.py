"""The built-in offline writer: test cases from templates, in the manner of CheckList (Ribeiro et al., ACL 2020)."""
