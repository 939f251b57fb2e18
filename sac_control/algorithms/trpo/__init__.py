"""Trust Region Policy Optimisation (Schulman et al. 2015), on-policy, with torch; written to be read.

A map, from the outside in::

    trpo_config.py           its settings
    trpo.py                  one update on one page, and what a training asks of an algorithm
      rollout.py               the transitions of one update, in order, and which of them count
      networks.py              π_θ and V_φ
      generalised_advantage.py which actions were better than expected, and what the states were worth
      trust_region.py          a better policy that is not far from the old one
        gaussian.py              log-probability, entropy and divergence of Gaussians
        hessian_vector_product.py, conjugate_gradient.py   in which direction
        line_search.py           how far
      value_fit.py             values from returns
      saved.py                 networks and optimiser as named arrays, and back
"""
