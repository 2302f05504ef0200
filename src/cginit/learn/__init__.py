"""What only the training of networks needs: cheap pairs by the ten thousand, and the curves learned from them."""
