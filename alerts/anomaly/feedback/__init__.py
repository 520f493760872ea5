"""What people say of anomalies: which steps are learnt from, which open episodes end."""
