"""How regions reach the control plane."""
