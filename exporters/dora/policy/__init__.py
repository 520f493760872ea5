"""`DeliveryPolicy`: names, environments that count, and how incidents are held against deployments."""
