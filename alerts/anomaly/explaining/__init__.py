"""Why a step is anomalous, or is not: figures of one step, the same phase on earlier days, sentences. Pure."""
