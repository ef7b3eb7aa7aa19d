"""Who an ad is for: rules of targeting, and the index that answers them for a request."""
